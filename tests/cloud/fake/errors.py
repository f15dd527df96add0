"""What a request is refused with."""


class ApiError(Exception):
    """An error as the API words it: a code that programs decide on, a text for people, an HTTP status."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def not_found(code, what, name):
    return ApiError(code, f"The {what} '{name}' does not exist")


def bad_value(parameter, value, why=""):
    return ApiError("InvalidParameterValue", f"Value ({value}) for parameter {parameter} is invalid. {why}".rstrip())
