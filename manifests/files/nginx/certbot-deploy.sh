#!/bin/sh
# Managed by steward: zulip::profile::app_frontend. Certbot calls it when there is a new certificate.
exec systemctl reload nginx
