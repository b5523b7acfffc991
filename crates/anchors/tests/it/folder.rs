//! Folders.

use std::fs;

use anchors::{Folder, Place};

use crate::{parcel, take};

#[tokio::test]
async fn a_checkpoint_is_written_once_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(Folder { path: folder.path().to_owned() });
    let parcel = parcel(12);
    let file = folder.path().join(parcel.file_name());
    let made = take(place(), &parcel).await.unwrap();
    assert_eq!(made.place, file.display().to_string());
    assert_eq!(fs::read_to_string(&file).unwrap(), parcel.note);
    assert_eq!(take(place(), &parcel).await.unwrap(), made, "done twice");

    // A crash in the middle of the first try.
    fs::write(&file, &parcel.note[..9]).unwrap();
    take(place(), &parcel).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), parcel.note);
}

#[tokio::test]
async fn another_checkpoint_of_the_same_size_is_left_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let parcel = parcel(12);
    let file = folder.path().join(parcel.file_name());
    fs::write(&file, "driftline/1a2b\n12\nanother\n").unwrap();
    let place = Place::Folder(Folder { path: folder.path().to_owned() });
    let why = take(place, &parcel).await.unwrap_err().why;
    assert!(why.contains("holds another checkpoint of this size"), "{why}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "driftline/1a2b\n12\nanother\n");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not-mounted");
    let why =
        take(Place::Folder(Folder { path: path.clone() }), &parcel(12)).await.unwrap_err().why;
    assert!(why.contains("not-mounted"), "{why}");
    assert!(!path.exists());
}
