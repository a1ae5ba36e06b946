package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
)

// defaultDB is the database directory when nothing else is said.
const defaultDB = "vecdb-data"

// session is a client of a server, or of a directory that this process has
// open: the same requests go either way.
type session struct {
	*client.Client
	db    *vecdb.DB // nil with a server
	close func() error
}

// access says what a command does to a database directory.
type access int

const (
	reads   access = iota // the directory must be there
	creates               // the directory is made when it is not there
)

// connect opens the server or the directory that the flags and the
// environment name.
func (a *app) connect(how access) (*session, error) {
	if url := a.serverURL(); url != "" {
		key, err := a.apiKey()
		if err != nil {
			return nil, err
		}
		c, err := client.New(url, client.Options{Key: key})
		if err != nil {
			return nil, err
		}
		return &session{Client: c, close: func() error { return nil }}, nil
	}
	db, err := a.openDir(how)
	if err != nil {
		return nil, err
	}
	return a.inProcess(db)
}

// inProcess returns a session over an open database; closing it closes the
// database.
func (a *app) inProcess(db *vecdb.DB) (*session, error) {
	logger := slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelError}))
	srv := server.New(db, server.Options{Logger: logger})
	c, err := client.New("http://localhost", client.Options{Transport: server.InProcess(srv.Handler())})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &session{Client: c, db: db, close: func() error {
		srv.Close()
		return db.Close()
	}}, nil
}

// serverURL returns the server's address, "" when a directory is meant. A
// flag goes before the environment.
func (a *app) serverURL() string {
	if a.url != "" || a.db != "" {
		return a.url
	}
	return a.getenv("VECDB_URL")
}

func (a *app) dir() string {
	if a.db != "" {
		return a.db
	}
	if dir := a.getenv("VECDB_DB"); dir != "" {
		return dir
	}
	return defaultDB
}

// openDir opens the database directory. A directory that cannot be written is
// still good for reading.
func (a *app) openDir(how access) (*vecdb.DB, error) {
	dir := a.dir()
	if how == reads {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database in %s: %w (make one with: vecdb add FILE, or name another with --db)", dir, vecdb.ErrNotFound)
		}
	}
	o := a.options()
	var err error
	if o.Chat, err = a.chatModel(); err != nil {
		return nil, err
	}
	db, err := vecdb.Open(dir, o)
	if how == reads && (errors.Is(err, vecdb.ErrReadOnly) || errors.Is(err, fs.ErrPermission)) {
		o.ReadOnly = true
		db, err = vecdb.Open(dir, o)
	}
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", dir, err)
	}
	return db, nil
}

func (a *app) options() vecdb.Options {
	cache, _ := a.embeddingCacheBytes() // checkGlobals has looked at it
	return vecdb.Options{Home: a.home(), OpenModel: a.openModel, EmbeddingCacheBytes: cache, Index: cmp.Or(a.index, a.getenv("VECDB_INDEX")),
		ModelRuntime: a.runtime(), IgnoreMemory: a.ignoreMemory, MemoryAvailable: a.memoryAvailable}
}

// runtime names what computes models.
func (a *app) runtime() string { return cmp.Or(a.modelRuntime, a.getenv("VECDB_MODEL_RUNTIME")) }

// minEmbeddingCache is the least room that a cache of vectors is given.
const minEmbeddingCache = 1 << 20

// embeddingCacheBytes returns the room for the cache of vectors as an option of
// the library: 0 for the default, less for none.
func (a *app) embeddingCacheBytes() (int64, error) {
	switch text := cmp.Or(a.embeddingCache, a.getenv("VECDB_EMBEDDING_CACHE")); text {
	case "":
		return 0, nil
	case "off":
		return -1, nil
	default:
		n, err := humanize.ParseBytes(text)
		if err != nil || n < minEmbeddingCache || n > 1<<50 {
			return 0, usage("--embedding-cache (VECDB_EMBEDDING_CACHE) is a size from 1MiB on, such as 2GB, or off, not %.40q", text)
		}
		return int64(n), nil
	}
}

// apiKeys returns the keys of the file that --api-key-file names, one a line,
// else that of the environment.
func (a *app) apiKeys() ([]string, error) {
	if a.keyFile == "" {
		if key := strings.TrimSpace(a.getenv("VECDB_API_KEY")); key != "" {
			return []string{key}, nil
		}
		return nil, nil
	}
	data, err := os.ReadFile(a.keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the API key: %w", err)
	}
	keys := strings.Fields(string(data))
	if len(keys) == 0 {
		return nil, usage("%s holds no API key", a.keyFile)
	}
	return keys, nil
}

func (a *app) apiKey() (string, error) {
	keys, err := a.apiKeys()
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return keys[0], nil
}

// with runs fn in a session and closes it, whatever fn returns.
func (a *app) with(how access, fn func(*session) error) error {
	s, err := a.connect(how)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.close())
}
