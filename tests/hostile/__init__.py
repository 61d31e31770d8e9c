"""Nothing foreign acts: the cases of a hostile database, artifact, folder, settings file and terminal input."""
