"""Cameras that speak ONVIF: found on the node's networks, asked where their streams are, turned.

Plain SOAP over the HTTP client and the XML reader that are there anyway. The libraries that read the standard's WSDL files bring a second HTTP client and half a megabyte
of schemas, take seconds and 60 MB to begin, and believe what a device says: what it answers, of which size, and to which host it sends on. A dozen
requests are all that is needed here, and each answer comes from a machine that hangs on a hall's wall.
"""
