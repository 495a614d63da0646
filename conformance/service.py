"""Says what a client that is made of botocore knows of the service."""


def describe(session):
    """Returns the operations, each with the names of its members and whether it pages."""
    model = session.get_service_model("apigatewayv2")
    paginators = session.get_paginator_model("apigatewayv2")
    known = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        members = set()
        for shape in (operation.input_shape, operation.output_shape):
            collect(shape, members)
        try:
            paginators.get_paginator(name)
            pages = True
        except ValueError:
            pages = False
        known[name] = {"members": sorted(members), "pages": pages}
    return known


def collect(shape, members):
    """Adds the names of the members of a shape at every depth."""
    if shape is None:
        return
    if shape.type_name == "structure":
        members.update(shape.members)
        for member in shape.members.values():
            collect(member, members)
    elif shape.type_name == "list":
        collect(shape.member, members)
    elif shape.type_name == "map":
        collect(shape.value, members)
