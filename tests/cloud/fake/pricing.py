"""AWS's price list: a few products, and others that look like them, which a question that says too little finds as well."""

import json

from .errors import ApiError

# (attributes, unit, dollars); what it is in other regions is a tenth dearer.
SHARED = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
PRODUCTS = [
    *(({"productFamily": "Compute Instance", "instanceType": kind, **SHARED, **more}, "Hrs", price * factor)
      for kind, price in (("t4g.nano", 0.005), ("t4g.small", 0.02))
      for more, factor in (({}, 1), ({"operatingSystem": "Windows"}, 2), ({"tenancy": "Dedicated"}, 3),
                           ({"preInstalledSw": "SQL Web"}, 4), ({"capacitystatus": "AllocatedCapacityReservation"}, 0))),
    *(({"productFamily": "Storage", "volumeApiName": kind}, "GB-Mo", price) for kind, price in (("sc1", 0.02), ("gp3", 0.1))),
    ({"productFamily": "System Operation", "volumeApiName": "gp3"}, "IOPS-Mo", 0.006),
    ({"productFamily": "Provisioned Throughput", "volumeApiName": "gp3"}, "GiBps-mo", 51.2),
    *(({"servicecode": "AmazonVPC", "group": "VPCPublicIPv4Address", "usagetype": f"PublicIPv4:{use}Address"}, "Hrs", 0.01)
      for use in ("InUse", "Idle")),
]  # fmt: skip
REGIONS = {"us-east-1": 1, "us-west-2": 1.1}


def _product(number, attributes, unit, usd):
    sku = f"SKU{number:04}"
    term = {"priceDimensions": {f"{sku}.T.D": {"unit": unit, "pricePerUnit": {"USD": f"{usd:.10f}"}, "beginRange": "0",
                                               "endRange": "Inf", "description": "x", "rateCode": f"{sku}.T.D"}},
            "sku": sku, "offerTermCode": "T", "termAttributes": {}, "effectiveDate": "2026-11-01T00:00:00Z"}  # fmt: skip
    return json.dumps({"product": {"sku": sku, "productFamily": attributes.get("productFamily"), "attributes": attributes},
                       "serviceCode": attributes["servicecode"], "terms": {"OnDemand": {f"{sku}.T": term}}})  # fmt: skip


def pricing(world, key, target, body):
    if target != "AWSPriceListService.GetProducts":
        raise ApiError("UnknownOperationException", "")
    try:
        p = json.loads(body)
        assert isinstance(p, dict) and not set(p) - {"ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken"}
        assert isinstance(p["ServiceCode"], str) and 1 <= p.get("MaxResults", 100) <= 100
        filters = p.get("Filters", [])
        assert all(set(f) == {"Type", "Field", "Value"} and f["Type"] == "TERM_MATCH" for f in filters)
    except (ValueError, AssertionError, KeyError, TypeError):
        raise ApiError("InvalidParameterException", "not such a question") from None
    if world.denied("pricing", "GetProducts"):
        raise ApiError("AccessDeniedException", f"User: {key.arn} is not authorized to perform: pricing:GetProducts")
    found = []
    for region, factor in REGIONS.items():
        for attributes, unit, usd in PRODUCTS:
            attributes = {"servicecode": "AmazonEC2", **attributes, "regionCode": region}
            if attributes["servicecode"] == p["ServiceCode"] and all(attributes.get(f["Field"]) == f["Value"] for f in filters):
                found.append(_product(len(found), attributes, unit, usd * factor))
    return {"FormatVersion": "aws_v1", "PriceList": found[: p.get("MaxResults", 100)]}
