//! The data folder: where it is by default, and that one process uses it at a time.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;

/// `/var/lib/jingwei` as root (PostgreSQL runs as another user then, who cannot enter root's home); else the user's data folder.
pub fn default_dir() -> PathBuf {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        return PathBuf::from("/var/lib/jingwei");
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    std::env::var_os("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from).join("jingwei")
}

/// The folder in use by this process, until it is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "holds the lock")] File);

/// Makes the folder where it is missing.
///
/// # Errors
/// It cannot be made.
pub fn make(dir: &Path) -> Result<(), Error> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(dir);
    made.map_err(|e| {
        format!("不能创建数据目录 {dir}：{e}\ncannot make the data folder {dir}: {e}", dir = dir.display())
            .into()
    })
}

/// Takes the folder for this process.
///
/// # Errors
/// Another process has it: the text names it.
pub fn hold(dir: &Path) -> Result<Held, Error> {
    make(dir)?;
    let path = dir.join("lock");
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            let (dir, pid) = (dir.display(), holder.trim());
            return Err(format!(
                "数据目录 {dir} 正被进程 {pid} 使用；请先停止它，或用 --data-dir 另选目录\n\
                 the data folder {dir} is in use by process {pid}: stop it first, or choose another with --data-dir"
            )
            .into());
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(std::process::id().to_string().as_bytes())?;
    Ok(Held(file))
}

/// The secret in the file, which only its owner reads; made where there is none. Of several processes that make it at once
/// all get the same, and a killed one leaves no half of it.
pub(crate) fn secret(path: &Path, make: impl FnOnce() -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    if !path.exists() {
        let draft = draft(path, &make()?, 0o600)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(draft)?;
        linked.or_else(|error| if error.kind() == ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })?;
    }
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Writes a file that everybody reads; a reader finds the old or the new content, never a part.
pub(crate) fn publish(path: &Path, content: &[u8]) -> Result<(), Error> {
    Ok(fs::rename(draft(path, content, 0o644)?, path)?)
}

/// A file of this process beside the one it will become.
fn draft(path: &Path, content: &[u8], mode: u32) -> Result<PathBuf, Error> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    fs::remove_file(&draft).ok();
    let mut file = File::options().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_and_free_again_after() {
        let dir = tempfile::tempdir().unwrap();
        let held = hold(dir.path()).unwrap();
        let refused = hold(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        hold(dir.path()).unwrap();
    }
    #[test]
    fn a_secret_is_made_once_and_read_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.password");
        assert_eq!(secret(&path, || Ok(b"first".to_vec())).unwrap(), b"first");
        assert_eq!(secret(&path, || panic!("it is there")).unwrap(), b"first");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o077, 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}
