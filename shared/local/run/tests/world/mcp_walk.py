"""Signs a person in by the agent's tools, with the official client for Python: mcp_walk.py MCP_URL
MAILBOX_URL EMAIL

Prints the tools and the last result, once for each of the client's ways to connect: by asking the
server for its versions, or by a handshake.
"""

import asyncio
import json
import sys
import urllib.parse
import urllib.request

import jsonschema
from mcp import Client, Tool


async def main(endpoint: str, mailbox: str, email: str) -> None:
    for mode in ("auto", "legacy"):
        async with Client(endpoint, mode=mode) as agent:
            listed = await agent.list_tools()
            tools = {tool.name.split("___")[1]: tool for tool in listed.tools}
            begun = await call(agent, tools["initiate_cognito_login"], email=email)
            query = urllib.parse.urlencode({"to": email, "wait": 5})
            with urllib.request.urlopen(f"{mailbox}/latest?{query}") as answer:
                code = json.load(answer)["code"]
            verify = tools["verify_cognito_otp"]
            wrong = await call(agent, verify, email=email, otp_code="000000", session_token=begun["session_token"])
            event = await call(agent, verify, email=email, otp_code=code, session_token=begun["session_token"])
            print(json.dumps({"tools": [tool.name for tool in listed.tools], "wrong": wrong, "event": event}))


async def call(agent: Client, tool: Tool, **arguments: str) -> dict:
    result = await agent.call_tool(tool.name, arguments)
    # The client checks successes against the schema, and accepts failures in any form.
    jsonschema.validate(result.structured_content, tool.output_schema)
    assert result.is_error != result.structured_content["success"], result
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


asyncio.run(main(*sys.argv[1:]))
