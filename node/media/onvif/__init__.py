"""Cameras that speak ONVIF: found on the node's networks, asked where their streams are, turned.

Plain SOAP over the HTTP client and the XML reader that are there anyway. A library that reads the standard's WSDL files brings a second HTTP client and 1.5 MB of schemas, and takes
seconds to begin. A dozen requests are all that is needed here, each answer comes from a machine that hangs on a hall's wall, and to bound its size, its time and the hosts that it names
would be left to us all the same.
"""
