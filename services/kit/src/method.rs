//! What one RPC needs, as its .proto file says: the permission, the roles that hold it, how far a grant must reach.

use jingwei_proto::{
    access::v1::{Permission, Reach, Role},
    pool,
};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

use crate::{
    admit::{denied, unauthenticated},
    caller::{Caller, Grant, Scope, district_of},
    status::{Problem, invalid},
};

/// What one RPC needs.
#[derive(Debug)]
pub struct Method {
    /// The service's full name.
    pub service: String,
    /// The RPC's name.
    pub name: String,
    /// Whether the answer is a stream.
    pub streams: bool,
    pub(crate) input: MessageDescriptor,
    pub(crate) takes_stream: bool,
    permission: Permission,
    roles: Vec<Role>,
    /// The fields to go through to the name of what the request is about.
    named_by: Vec<FieldDescriptor>,
}

/// Why a server cannot start: a .proto file does not say what it must.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The service is in no descriptor.
    #[error("there is no service {0} in the descriptors")]
    UnknownService(String),
    /// The option is missing or incomplete.
    #[error("{method} declares no usable permission: {problem}")]
    Permission {
        /// The RPC's full name.
        method: String,
        /// What is missing.
        problem: &'static str,
    },
}

impl Method {
    pub(crate) fn new(
        service: &ServiceDescriptor,
        method: &MethodDescriptor,
    ) -> Result<Self, AdmissionError> {
        let wrong = |problem| AdmissionError::Permission { method: method.full_name().to_owned(), problem };
        let permission = permission(method).ok_or_else(|| wrong("the option is missing"))?;
        let roles = permission.roles().filter(|role| *role != Role::Unspecified).collect::<Vec<_>>();
        let named_by = if permission.public { Vec::new() } else { named_by(&method.input()) };
        if permission.name.is_empty() {
            return Err(wrong("it has no name"));
        }
        if !permission.public {
            match permission.reach() {
                _ if roles.is_empty() => return Err(wrong("it has no roles")),
                Reach::Unspecified => return Err(wrong("it has no reach")),
                _ if named_by.is_empty() => {
                    return Err(wrong(
                        "the request has no field `name` or `parent`, of its own or of its resource",
                    ));
                }
                _ if method.is_client_streaming() => {
                    return Err(wrong("a stream of requests has no one resource to check"));
                }
                Reach::District | Reach::Resource | Reach::Loaded => (),
            }
        }
        Ok(Self {
            service: service.full_name().to_owned(),
            name: method.name().to_owned(),
            streams: method.is_server_streaming(),
            input: method.input(),
            takes_stream: method.is_client_streaming(),
            permission,
            roles,
            named_by,
        })
    }

    /// The caller's grants with a role that has the permission. Errors: the caller has none and needs one.
    pub(crate) fn granting(&self, caller: &Caller) -> Result<Vec<Grant>, Problem> {
        let granting = caller
            .grants
            .iter()
            .filter(|grant| self.roles.contains(&grant.role))
            .cloned()
            .collect::<Vec<_>>();
        if self.permission.public || !granting.is_empty() {
            return Ok(granting);
        }
        if caller.is_anonymous() {
            return Err(unauthenticated("请先登录：需要令牌", "sign in first: a token is needed"));
        }
        let name = &self.permission.name;
        Err(denied(
            name,
            "",
            format!("没有权限 {name}"),
            format!("no grant of yours has the permission {name}"),
        ))
    }

    /// Those of `grants` that reach what the request names. Errors: none does.
    pub(crate) fn reaching(
        &self,
        grants: Vec<Grant>,
        message: &DynamicMessage,
    ) -> Result<Vec<Grant>, Problem> {
        if self.permission.public {
            return Ok(grants);
        }
        let resource = self.resource(message)?;
        let district = district_of(&resource);
        let reaches = |grant: &Grant| match (self.permission.reach(), district) {
            (Reach::Resource, _) => grant.scope.covers(&resource),
            (_, Some(district)) => grant.scope.touches(district),
            (_, None) => grant.scope == Scope::Everywhere,
        };
        let reaching = grants.into_iter().filter(reaches).collect::<Vec<_>>();
        if reaching.is_empty() {
            let name = &self.permission.name;
            let zh = format!("权限 {name} 的授权范围不含 {resource}");
            let en = format!("no grant of yours with the permission {name} reaches {resource}");
            return Err(denied(name, &resource, zh, en));
        }
        Ok(reaching)
    }

    fn resource(&self, message: &DynamicMessage) -> Result<String, Problem> {
        let (last, path) = self.named_by.split_last().expect("refused at start where it is empty");
        let mut message = message.clone();
        for field in path {
            message = message.get_field(field).as_message().expect("a message field").clone();
        }
        let name = message.get_field(last).as_str().unwrap_or_default().to_owned();
        if name.starts_with("districts/") {
            return Ok(name);
        }
        let field = self.named_by.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".");
        Err(invalid(
            &field,
            "resource_name",
            "应为以 districts/ 开头的资源名",
            "must be a resource name that starts with districts/",
        ))
    }
}

fn permission(method: &MethodDescriptor) -> Option<Permission> {
    let extension = pool().get_extension_by_name("jingwei.access.v1.permission")?;
    let options = method.options();
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).as_message()?.transcode_to().ok())?
}

/// `name` or `parent` of the request, or else `name` of the first message field that has one (`area.name` of UpdateArea).
fn named_by(input: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let text = |message: &MessageDescriptor, name: &str| {
        message.get_field_by_name(name).filter(|f| f.kind() == Kind::String && !f.is_list())
    };
    if let Some(own) = text(input, "name").or_else(|| text(input, "parent")) {
        return vec![own];
    }
    let nested = |field: FieldDescriptor| {
        let name = field
            .kind()
            .as_message()
            .filter(|_| !field.is_list())
            .and_then(|message| text(message, "name"))?;
        Some(vec![field, name])
    };
    let mut fields = input.fields().collect::<Vec<_>>();
    fields.sort_by_key(FieldDescriptor::number);
    fields.into_iter().find_map(nested).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jingwei_proto::pool;
    use prost_reflect::DescriptorPool;
    use prost_types::{
        DescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
        ServiceDescriptorProto,
    };

    use super::*;

    #[test]
    fn an_rpc_without_a_permission_does_not_start() {
        let method = MethodDescriptorProto {
            name: Some("Get".into()),
            input_type: Some(".t.M".into()),
            output_type: Some(".t.M".into()),
            ..Default::default()
        };
        let file = FileDescriptorProto {
            name: Some("t.proto".into()),
            package: Some("t".into()),
            message_type: vec![DescriptorProto { name: Some("M".into()), ..Default::default() }],
            service: vec![ServiceDescriptorProto {
                name: Some("S".into()),
                method: vec![method],
                ..Default::default()
            }],
            ..Default::default()
        };
        let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![file] })
            .expect("well formed");
        let service = pool.get_service_by_name("t.S").expect("in it");
        let method = service.methods().next().expect("in it");
        let error = Method::new(&service, &method).expect_err("refused");
        assert_eq!(error.to_string(), "t.S.Get declares no usable permission: the option is missing");
    }

    #[test]
    fn every_rpc_of_ours_can_be_enforced() {
        let ours = pool().services().filter(|service| service.full_name().starts_with("jingwei."));
        let mut seen = 0;
        for service in ours {
            for method in service.methods() {
                Method::new(&service, &method).expect("its permission can be enforced");
                seen += 1;
            }
        }
        assert!(seen > 20, "only {seen} RPCs");
    }
}
