"""HTTP of the services for others' programs: who comes in, what of a body is taken, and how lists are paged.

Owns no data. `door` stands before every route below /v1; `bodies`, `paging` and `preferences` are what
routes share, `documented` is what their OpenAPI says of errors. The skeleton is `observability.http`.
"""
