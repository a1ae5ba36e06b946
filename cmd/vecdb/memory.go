package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
)

// addIgnoreMemory adds the flag to a command that stores documents.
func (a *app) addIgnoreMemory(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.ignoreMemory, "ignore-memory", false, "store documents even if their vectors will hardly fit into memory")
}

// checkMemory tells what so many further documents will take in memory, and
// refuses them when there is not so much. An unknown number is left to the
// database, which looks at each batch.
func (a *app) checkMemory(ctx context.Context, s *session, documents int) error {
	if documents == 0 {
		return nil
	}
	st, err := s.Stats(ctx, a.collection)
	if err != nil {
		return err
	}
	if st.ModelChoice == client.ChoicePending {
		return nil // it is not known how long vectors will be; the database looks at each batch
	}
	need := int64(documents) * st.Index.BytesPerVector
	a.note("  memory: about %s for %s (%s each)", bytesText(need), plural(documents, "document"), bytesText(st.Index.BytesPerVector))
	if per := st.Index.DiskBytesPerVector; per > 0 {
		a.note("  disk: about %s in the file of the index (%s each), and as much in its snapshot while that is written", bytesText(int64(documents)*per), bytesText(per))
	}
	if st.MemoryAvailable == nil || need <= *st.MemoryAvailable || a.ignoreMemory {
		return nil
	}
	hint := "free memory, take fewer documents"
	if smaller := vecdb.SmallerIndexes(st.Index.Kind); smaller != "" {
		hint += ", use --" + smaller
	}
	return fmt.Errorf("%w: about %s need about %s, %s is available; %s", vecdb.ErrMemory, plural(documents, "document"), bytesText(need), bytesText(*st.MemoryAvailable), hint+", or go on with --ignore-memory")
}
