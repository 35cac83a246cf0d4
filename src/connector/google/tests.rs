//! Reading, against a server that answers as told.
