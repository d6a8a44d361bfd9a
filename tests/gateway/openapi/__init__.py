"""Names of operations out of OpenAPI documents."""
