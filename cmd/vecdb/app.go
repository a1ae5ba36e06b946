package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
)

// app is one run of the command: its streams, its environment and the flags
// that all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	// openModel stands in for the model files, in tests.
	openModel func(ctx context.Context, model, precision string) (embedder.Embedder, error)
	// memoryAvailable stands in for what the system tells, in tests.
	memoryAvailable func() (bytes int64, known bool)
	// packages stands in for the machine's package manager, in tests.
	packages func(ctx context.Context) ([]byte, error)
	// listening is told the address that a server listens on; nil is none.
	listening func(addr string)
	// serving is called before a server takes requests; nil is none.
	serving func()

	db, url    string
	keyFile    string
	collection string
	precision  string
	index      string
	// modelRuntime is what computes models.
	modelRuntime string
	// embeddingCache bounds the cache of vectors, "" by default.
	embeddingCache string
	// ignoreMemory stores what is not expected to fit into memory.
	ignoreMemory bool
	// chat names a chat model, for serve and answer.
	chat  chatOptions
	json  bool
	jsonl bool
	quiet bool
}

// run executes the command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	return a.report(ctx, root.ExecuteContext(ctx))
}

// command returns the tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "vecdb",
		Short: "Search your texts by meaning",
		Long: `vecdb is a vector search database with a built-in embedder: text goes in,
meaning comes out. It works on a directory of this machine (--db) or against a
running server (--url).`,
		Example: `  vecdb add movies.csv
  vecdb search "sad film about a father and son"
  vecdb serve`,
		Args:              noSuchCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.checkGlobals() },
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	a.globalFlags(root)
	root.AddGroup(&cobra.Group{ID: "data", Title: "Documents:"}, &cobra.Group{ID: "ask", Title: "Questions:"},
		&cobra.Group{ID: "run", Title: "Running it:"})
	addGroup(root, "data", a.addCommand(), a.getCommand(), a.deleteCommand(), a.eventsCommand(), a.feedbackCommand(), a.collectionsCommand(), a.statsCommand())
	addGroup(root, "ask", a.searchCommand(), a.similarCommand(), a.recommendCommand(), a.classifyCommand(), a.answerCommand(), a.listCommand(), a.countCommand(), a.facetCommand(), a.trainCommand(), a.evaluateCommand())
	addGroup(root, "run", a.demoCommand(), a.serveCommand(), a.modelCommand(), a.embedCommand(), a.setupCommand(), a.benchCommand(), a.doctorCommand(), a.openAPICommand(), a.versionCommand())
	root.AddCommand(exitCodesTopic())
	return root
}

func addGroup(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.db, "db", "", "database directory (default $VECDB_DB, else ./vecdb-data)")
	f.StringVar(&a.url, "url", "", "talk to this server instead, for instance http://127.0.0.1:8080 (default $VECDB_URL)")
	f.StringVar(&a.keyFile, "api-key-file", "", "file that holds the API key (default: the key in $VECDB_API_KEY)")
	f.StringVarP(&a.collection, "collection", "c", "default", "collection")
	f.StringVar(&a.precision, "precision", "", "precision of a model: int8 (default), bf16 or fp32; for new collections and model files")
	f.StringVar(&a.index, "index", "", "index of a database directory: "+strings.Join(vecdb.IndexKinds(), ", ")+" (default $VECDB_INDEX, else hnsw)")
	f.StringVar(&a.modelRuntime, "model-runtime", "", "what computes models: auto, native or onnx (default $VECDB_MODEL_RUNTIME, else auto)")
	f.StringVar(&a.embeddingCache, "embedding-cache", "", "room for vectors of texts that were embedded before, in a database directory: a size such as 2GB, or off (default $VECDB_EMBEDDING_CACHE, else 512MiB)")
	f.BoolVar(&a.json, "json", false, "print one JSON document")
	f.BoolVar(&a.jsonl, "jsonl", false, "print JSON lines, one a result")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print results only")
}

// checkGlobals refuses flags that contradict each other.
func (a *app) checkGlobals() error {
	switch {
	case a.json && a.jsonl:
		return usage("choose either --json or --jsonl")
	case a.db != "" && a.url != "":
		return usage("choose either a directory (--db) or a server (--url)")
	}
	_, err := a.embeddingCacheBytes()
	return err
}

// now is the clock of the progress display.
func now() time.Time { return time.Now() }

// home is the folder of models.
func (a *app) home() string {
	if home := a.getenv(hub.EnvHome); home != "" {
		return home
	}
	return hub.DefaultHome()
}
