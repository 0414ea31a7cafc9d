"""Tells cloud-init which user-data is kubejoin's: kubejoin reads it itself, so cloud-init passes over it without a warning."""

import logging
import re

LOG = logging.getLogger("cloudinit.handlers.kubejoin")

OURS = re.compile(rb"^apiVersion:\s*[\"']?(kubeadm\.k8s\.io|kubejoin)/", re.MULTILINE)


NOT_MULTIPART = "text/x-not-multipart"  # cloud-init's word for a text whose first line it does not know: a bare kubeadm document


def list_types():
    return ["application/vnd.kubejoin+yaml", NOT_MULTIPART]


def handle_part(_data, content_type, _filename, payload):
    if content_type != NOT_MULTIPART:
        return
    text = payload if isinstance(payload, bytes) else payload.encode(errors="replace")
    if not OURS.search(text):
        LOG.warning("Unhandled non-multipart (%s) userdata", content_type)
