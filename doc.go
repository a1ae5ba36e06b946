// Package vecdb is a vector search database with a built-in embedder: text
// goes in and meaning comes out, in one process that needs no network.
//
// Documents are tokenized and embedded by an on-board Transformer, stored in
// Badger and kept in a vector index, and one query engine serves semantic
// search, recommendation and classification by neighbours.
//
//	db, err := vecdb.Open("films", vecdb.Options{})
//	films, _, err := db.CreateCollection(ctx, "films", vecdb.CollectionOptions{})
//	_, err = films.Upsert(ctx, []vecdb.Document{{ID: "a1", Text: "a father looks for his son"}}, vecdb.WaitIndexed)
//	found, err := films.Search(ctx, vecdb.Request{Text: "family"})
//
// # Nouns
//
// A DB is one directory. It holds collections; a Collection holds documents
// and searches them. A Document is an id, a text or a vector or both, and any
// fields. Every stored document has an ordinal, a dense number by which the
// index and the filters know it, and every write is one entry of the
// collection's change log, numbered in sequence.
//
// # Map
//
// The way of a document is in ingest.go, the way from the change log into the
// index in recover.go, the way of a query in package query. The folders:
//
//	index     vector indexes and the index of fields
//	storage   documents, vectors and change logs on a key-value engine
//	embedder  models: files, tokens, runtime, pooling
//	query     the query engine
//	server    the REST interface over a DB        client  its counterpart
//	bench     recall and latency on a collection  cmd     the command line
package vecdb
