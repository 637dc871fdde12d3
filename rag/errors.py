"""Everything that can go wrong in a way the user can do something about.

    TaiyiError
    ├── InvalidRequest        422  a field is wrong; says which and what it may be
    ├── Unauthenticated       401  it is not said who asks, or not believed; says what to send
    ├── Forbidden             403  the caller may see it but not do it; says what it takes
    ├── NotFound              404  no such thing, or the caller may not see it
    ├── TooSlow               408  the request did not come in the time that its size allows
    ├── TooLarge              413  over a size limit
    ├── UnsupportedFormat     415  a file of a kind that no loader reads
    ├── UnreadableFile        422  a file that its loader cannot read; says why
    ├── TooManyRequests       429  over the caller's rate; knows when to come again
    ├── ModelFailed           502  the language model answered with something that is no answer; says what
    ├── Unavailable           503  something that is configured does not answer; says what to start or install
    │   ├── Busy              503  more questions wait than may; says when to ask again
    │   ├── DatabaseUnavailable
    │   │                     503  the database does not answer or cannot be written to; says what it said
    │   └── DiskShut          503  the home is full or cannot be written to; says how much is left
    └── Inconsistent          500  SQL and an index disagree; says how to rebuild

Each message is one line that tells its reader what to do next. Each class knows its HTTP status and title.
"""

import errno

DISK_IS_SHUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
"""The errors of the operating system by which a disk is full or cannot be written to."""


class TaiyiError(Exception):
    status = 500
    title = "Internal error"
    answer_id: str | None = None
    """Under which id an answer that ended in this error was recorded."""
    retry_after_s: int | None = None
    """Seconds after which the same request may do better; None where that is not known."""


class InvalidRequest(TaiyiError):
    status = 422
    title = "Invalid request"


class Unauthenticated(TaiyiError):
    status = 401
    title = "Not signed in"


class Forbidden(TaiyiError):
    status = 403
    title = "Not allowed"


class NotFound(TaiyiError):
    status = 404
    title = "Not found"


class TooSlow(TaiyiError):
    status = 408
    title = "Too slow"


class TooLarge(TaiyiError):
    status = 413
    title = "Too large"


class UnsupportedFormat(TaiyiError):
    status = 415
    title = "Unsupported format"


class UnreadableFile(TaiyiError):
    status = 422
    title = "Unreadable file"


class TooManyRequests(TaiyiError):
    status = 429
    title = "Too many requests"

    def __init__(self, said: str, retry_after_s: int) -> None:
        super().__init__(said)
        self.retry_after_s = retry_after_s


class ModelFailed(TaiyiError):
    status = 502
    title = "The language model failed"


class Unavailable(TaiyiError):
    status = 503
    title = "Unavailable"


class Busy(Unavailable):
    title = "Too many questions at once"
    retry_after_s = 30


class DatabaseUnavailable(Unavailable):
    title = "The database does not answer"


class DiskShut(Unavailable):
    title = "Nothing can be written"


class Inconsistent(TaiyiError):
    status = 500
    title = "Index and database disagree"
