#!/usr/bin/env python3
"""Adds the secrets that zulip-secrets.conf lacks: generate_secrets.py --production, as root."""

import configparser
import secrets
import sys
import uuid

FILE = "/etc/zulip/zulip-secrets.conf"
HEX = [
    "avatar_salt",
    "camo_key",
    "memcached_password",
    "rabbitmq_password",
    "redis_password",
    "shared_secret",
    "zulip_org_key",
]


def main():
    if sys.argv[1:] != ["--production"]:
        sys.exit("usage: generate_secrets.py --production")
    present = configparser.RawConfigParser()
    present.read(FILE)
    made = {name: secrets.token_hex(32) for name in HEX}
    made["secret_key"] = secrets.token_urlsafe(37)[:50]
    made["zulip_org_id"] = str(uuid.uuid4())
    missing = {name: value for name, value in made.items() if not present.has_option("secrets", name)}
    with open(FILE, "a", encoding="utf-8") as file:
        if not present.has_section("secrets"):
            file.write("[secrets]\n")
        for name, value in missing.items():
            file.write(f"{name} = {value}\n")


main()
