"""B4's peer: FastAPI, a pydantic body, one `insert_one` that a majority has; uvicorn as our programs run it.

It checks no token, keeps no answer for a repeated key, and tells nobody what was stored.
"""

import os
import sys
from datetime import date
from typing import Any

import uvicorn
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel
from pymongo.write_concern import WriteConcern

from services.kit.ids import new_id

app = FastAPI()
collection = AsyncIOMotorClient[dict[str, Any]](os.environ["JIEDUI_MONGODB_URI"]).bench_api.get_collection(
    "commitments", write_concern=WriteConcern("majority", j=True)
)


class Offer(BaseModel):
    category: str
    title: dict[str, str]
    support: dict[str, Any]
    projects_max: int
    valid_from: date
    valid_until: date
    only: dict[str, list[str]] | None = None
    reference: str | None = None


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/commitments", status_code=201)
async def submit_commitment(offer: Offer) -> dict[str, Any]:
    document = offer.model_dump(mode="json")
    id = new_id()
    await collection.insert_one({"_id": id, **document})
    return {"id": id, **document}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
