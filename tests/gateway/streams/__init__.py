"""Answers of Kubernetes and of HTTP APIs on their way back."""
