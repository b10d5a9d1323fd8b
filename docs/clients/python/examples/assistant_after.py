"""A library's assistant. Start it by `uvicorn assistant_after:app`."""

import os
import sqlite3
from contextlib import closing
from typing import Annotated, Any

from fastapi import FastAPI, Header
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from response_cache import Answer, AsyncResponseCache, cached
from response_cache.fastapi import cache_lifespan

DATABASE = os.environ.get("LIBRARY_DATABASE", "library.db")
Member = Annotated[str, Header(alias="X-Member")]

cache = AsyncResponseCache()
app = FastAPI(lifespan=cache_lifespan(cache))


class Message(BaseModel):
    message: str


class Loan(BaseModel):
    title: str


def run(sql: str, *values: str) -> tuple[list[dict[str, Any]], int | None]:
    """The rows of a statement, and the number of the row that it inserted."""
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        connection.row_factory = sqlite3.Row
        connection.execute(
            "CREATE TABLE IF NOT EXISTS loans (id INTEGER PRIMARY KEY, member TEXT, title TEXT)"
        )
        cursor = connection.execute(sql, values)
        return [dict(row) for row in cursor], cursor.lastrowid


@cached(cache, intent="loans", user="member")
async def loans_of(member: str) -> Answer:
    sql = "SELECT id, title FROM loans WHERE member = ? ORDER BY id"
    rows, _ = await run_in_threadpool(run, sql, member)
    return Answer({"loans": rows}, tags=[f"loan:{row['id']}" for row in rows])


@app.post("/ask")
async def ask(question: Message, member: Member) -> dict[str, str]:
    if "loan" not in question.message.lower():
        return {"answer": "I can tell you about your loans."}
    loans = (await loans_of(member))["loans"]
    titles = ", ".join(loan["title"] for loan in loans)
    return {"answer": f"You have borrowed: {titles or 'nothing'}"}


@app.post("/loans")
async def borrow(loan: Loan, member: Member) -> dict[str, int | None]:
    sql = "INSERT INTO loans (member, title) VALUES (?, ?)"
    _, number = await run_in_threadpool(run, sql, member, loan.title)
    await cache.invalidate(tag=f"loan:{number}", user_id=member)
    return {"loan": number}
