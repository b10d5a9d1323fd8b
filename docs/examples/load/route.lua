-- Requests for wrk: 200 users, eight questions each, drawn at random.
local questions = {
  "what is my claim status?",
  "has my payment been made yet?",
  "how much is my pension?",
  "how do I submit a new claim?",
  "show me my account details",
  "show my payment history",
  "did you receive my documents?",
  "I cannot log in to the portal",
}

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

request = function()
  local question = questions[math.random(#questions)]
  local body = string.format(
    '{"message": "%s", "user_context": {"user_id": "BEN-%06d", "user_role": "beneficiary"}}',
    question, math.random(200))
  return wrk.format(nil, nil, nil, body)
end

-- Anything but an answer is told.
done = function(summary)
  local errors = summary.errors
  print("errors: " .. errors.status + errors.connect + errors.read + errors.write + errors.timeout)
end
