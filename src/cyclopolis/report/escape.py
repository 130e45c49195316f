"""Names from a user's tables are just names: made harmless for Plotly's labels and for data inside a script."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_TEMPLATES = ("hovertemplate", "texttemplate")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_MARKUP = re.compile(r"&lt;(/?(?:b|i|sub|sup|extra)|br/?)&gt;")


def escape_label(text: str) -> str:
    """Return a text that Plotly, which reads some HTML in its labels, shows as it stands.

    Examples
    --------
    >>> escape_label("<b>A & B</b>")
    '&lt;b&gt;A &amp; B&lt;/b&gt;'

    A text that a figure's author has already made harmless stays as it is:

    >>> escape_label("A &amp; B &lt;3")
    'A &amp; B &lt;3'
    """
    return _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _escape_template(text: str) -> str:
    """Return a hover template with the tags that a figure's author may use, and no others."""
    return _MARKUP.sub(r"<\1>", escape_label(text))


def escape_figure(value: object, key: str = "") -> Any:  # noqa: ANN401 - plain data of any shape in, the same out
    """Return a figure with every text made harmless; hover templates keep line breaks and bold type.

    Parameters
    ----------
    value : object
        A Plotly figure as plain data, or a part of one.
    key : str
        Name under which the part stands.

    Returns
    -------
    object
        The same shape; numbers that are not finite become None, as JSON has none of them.

    Examples
    --------
    >>> escape_figure({"label": ["<script>"], "hovertemplate": "%{label}<br>%{value}<extra></extra>"})
    {'label': ['&lt;script&gt;'], 'hovertemplate': '%{label}<br>%{value}<extra></extra>'}
    """
    if isinstance(value, str):
        return _escape_template(value) if key in _TEMPLATES else escape_label(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): escape_figure(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [escape_figure(item, key) for item in value]
    return value


def script_json(value: object) -> str:
    r"""Return JSON that can stand inside a script element: nothing in it can end the element or start a comment.

    Examples
    --------
    >>> script_json({"name": "</script><!--"})
    '{"name": "\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
