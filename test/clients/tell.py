# What the programs in Python share: a line for each thing that is so or not.
forbidden = """INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
    VALUES (1, 50, '2023-03-12', 'buy', 'plan', 'pro', 1)"""

def told(what, got, expected):
    good = got == expected and type(got) == type(expected) or got == expected and not isinstance(expected, (str, float))
    print(("ok - " if good else "not ok - ") + what + ("" if good else f": {got!r}"), flush=True)

def state_of(error):
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or (error.args or [None])[0]

def refused(what, action, state):
    try:
        action()
    except Exception as error:
        told(what, state_of(error), state)
    else:
        told(what, "nothing", state)
