"""The stories through gRPC with grpcio, knowing nothing of the protos but what server reflection tells."""
import os

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import story

CHANNEL = grpc.insecure_channel(os.environ["GATEWAY"].removeprefix("http://"))
POOL = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(CHANNEL))


def call(step, request):
    service, method = step["call"].split("/")
    descriptor = POOL.FindServiceByName(service).FindMethodByName(method)
    invoke = CHANNEL.unary_unary(
        "/" + step["call"],
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(descriptor.output_type).FromString,
    )
    message = json_format.ParseDict(request, message_factory.GetMessageClass(descriptor.input_type)())
    try:
        metadata = [("authorization", "Bearer " + story.token(step["as"]))]
        answer = invoke(message, metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        return None, read_error(error)
    return json_format.MessageToDict(answer), None


def read_error(error):
    found = {"code": error.code().name, "fields": [], "locales": [], "message": error.details()}
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if details:
        kind = lambda name: message_factory.GetMessageClass(POOL.FindMessageTypeByName("google.rpc." + name))
        for item in kind("Status").FromString(details).details:
            if item.type_url.endswith("/google.rpc.BadRequest"):
                found["fields"] = [v.field for v in kind("BadRequest").FromString(item.value).field_violations]
            if item.type_url.endswith("/google.rpc.LocalizedMessage"):
                found["locales"].append(kind("LocalizedMessage").FromString(item.value).locale)
    return found


if __name__ == "__main__":
    story.run(call)
