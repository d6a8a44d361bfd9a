"""Names of an HTTP API's operations, out of its OpenAPI document (2.0, 3.x). Pure but for reading the file once.

`document.py` reads the file and says what is wrong with it; `templates.py` finds the path template of a request;
`operations.py` puts both together: method and path to operation.
"""

from gateway.openapi.document import OpenApiError
from gateway.openapi.operations import Operation, Operations, operations_of

__all__ = ["OpenApiError", "Operation", "Operations", "operations_of"]
