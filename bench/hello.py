"""The least a FastAPI application does, as the floor that the gateway is measured from:
``uvicorn bench.hello:app``.
"""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}
