//! Where files are kept: a local folder, or a bucket of S3 or of what speaks like it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jingwei_kit::config::{Secret, Settings};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

/// Where files are kept.
#[derive(Debug, Clone)]
pub enum Location {
    /// A folder of this machine; replicas must share it.
    Folder(PathBuf),
    /// A bucket.
    Bucket(Bucket),
}

/// A bucket of S3 and how to reach it.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What every key begins with; may be empty.
    pub prefix: String,
    /// The address of the server; Amazon's where `None`.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// Who asks.
    pub access_key: String,
    /// With which key.
    pub secret_key: Secret,
}

impl Location {
    /// From `FILES` (a path or `s3://bucket/prefix`), for a bucket with `FILES_ENDPOINT`, `FILES_REGION`, `FILES_ACCESS_KEY`,
    /// `FILES_SECRET_KEY` (or `FILES_SECRET_KEY_FILE`).
    pub fn read(settings: &mut Settings) -> Self {
        let place = settings.text("FILES").unwrap_or_else(|| "files".to_owned());
        let Some(bucket) = place.strip_prefix("s3://") else { return Self::Folder(place.into()) };
        let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
        if name.is_empty() {
            let (zh, en) = ("应为路径或 s3://桶/前缀", "must be a path or s3://bucket/prefix");
            settings.fault("FILES", zh.to_owned(), en.to_owned());
        }
        Self::Bucket(Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: settings.text("FILES_ENDPOINT"),
            region: settings.text("FILES_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
            access_key: settings.required("FILES_ACCESS_KEY", "访问密钥编号", "the id of the access key"),
            secret_key: settings.secret("FILES_SECRET_KEY"),
        })
    }

    /// The folder, where it is one.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Folder(path) => Some(path.clone()),
            Self::Bucket(_) => None,
        }
    }

    pub(super) fn open(&self) -> Result<(Arc<dyn ObjectStore>, Path), object_store::Error> {
        match self {
            Self::Folder(folder) => Ok((Arc::new(open_folder(folder)?), Path::default())),
            Self::Bucket(bucket) => Ok((Arc::new(bucket.open()?), Path::parse(&bucket.prefix)?)),
        }
    }
}

fn open_folder(folder: &std::path::Path) -> Result<LocalFileSystem, object_store::Error> {
    let failed = |error| {
        let text =
            format!("不能使用文件夹 {0}：{error}\nthe folder {0} cannot be used: {error}", folder.display());
        object_store::Error::Generic { store: "files", source: text.into() }
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    // What was answered as stored survives a power cut; folders of finished uploads go with their last chunk.
    Ok(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true))
}

impl Bucket {
    fn open(&self) -> Result<impl ObjectStore, object_store::Error> {
        // A caller's patience is ten seconds: better told to come again than left waiting.
        let retry =
            RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(5), ..RetryConfig::default() };
        let client = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(Duration::from_secs(2))
            .with_timeout(Duration::from_secs(60));
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(self.secret_key.reveal())
            .with_retry(retry)
            .with_client_options(client);
        match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint).build(),
            None => builder.build(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Location, String> {
        let variables = variables.iter().map(|(name, value)| (format!("X_{name}"), (*value).to_owned()));
        let mut settings = Settings::from_variables("X_", variables);
        let location = Location::read(&mut settings);
        settings.finish().map(|()| location).map_err(|error| error.to_string())
    }

    #[test]
    fn a_path_is_a_folder_and_a_url_a_bucket() {
        let is_folder = |read: Result<Location, _>, path: &str| matches!(read, Ok(Location::Folder(folder)) if folder == std::path::Path::new(path));
        assert!(is_folder(read(&[]), "files"));
        assert!(is_folder(read(&[("FILES", "/srv/x")]), "/srv/x"));
        let keys = [("FILES_ACCESS_KEY", "key"), ("FILES_SECRET_KEY", "hush")];
        let bucket = read(&[&[("FILES", "s3://county/grid/files")][..], &keys].concat()).expect("a bucket");
        let Location::Bucket(bucket) = bucket else { panic!("a folder") };
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("county", "grid/files"));
        assert!(!format!("{bucket:?}").contains("hush"));
    }

    #[test]
    fn all_that_a_bucket_lacks_is_told() {
        let told = read(&[("FILES", "s3://")]).expect_err("nothing is right");
        for variable in ["X_FILES ", "X_FILES_ACCESS_KEY", "X_FILES_SECRET_KEY"] {
            assert!(told.contains(variable), "{variable}: {told}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_is_told() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let Err(told) = Location::Folder(file.path().join("below")).open() else { panic!("opened") };
        assert!(told.to_string().contains("cannot be used"), "{told}");
    }
}
