package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/cpu"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/simd"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// The states of a check.
const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateFail = "fail"
)

// lowSpace is the free space below which doctor warns; writes stop at 512 MiB
// or 1 %.
const lowSpace = 2 << 30

// finding is what one check found.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	Next   string `json:"next,omitempty"` // what to do about it
}

func (a *app) doctorCommand() *cobra.Command {
	var deep bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine and the database",
		Long: `Check the processor, the runtime, the models, the disk and the database
directory, and say what to do about what is wrong. --deep compares all model
files with their checksums and reads everything that is stored. The exit code
is 1 when a check fails.`,
		Example: `  vecdb doctor
  vecdb doctor --deep --db ./vecdb-data --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings, err := a.examine(cmd.Context(), deep)
			if err != nil {
				return err
			}
			return a.printFindings(findings)
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "verify checksums of models and of all stored data")
	return cmd
}

func (a *app) examine(ctx context.Context, deep bool) ([]finding, error) {
	h, manifest, err := a.openHub()
	if err != nil {
		return nil, err
	}
	b := vecdb.BuildInfo()
	out := []finding{
		{"version", stateOK, fmt.Sprintf("vecdb %s, commit %s, %s", b.Version, b.Commit, b.Go), ""},
		{"processor", stateOK, fmt.Sprintf("%d cores, %s; kernels for distances: %s, for matrices: %s", runtime.NumCPU(), cpuFeatures(), simd.Kernels(), matrix.Kernels()), ""},
		a.checkRuntime(h, deep),
	}
	out = append(out, a.checkModels(h, manifest, deep)...)
	out = append(out, checkFolder("models' folder", h.Home()))
	return append(out, a.checkDatabase(ctx, deep)...), ctx.Err()
}

// cpuFeatures names the features that the kernels and the runtime make use of.
func cpuFeatures() string {
	var have []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA}, {"avx512f", cpu.X86.HasAVX512F}, {"avx512vnni", cpu.X86.HasAVX512VNNI},
		{"avx512bf16", cpu.X86.HasAVX512BF16}, {"amx_int8", cpu.X86.HasAMXInt8}, {"asimd", cpu.ARM64.HasASIMD}, {"asimddp", cpu.ARM64.HasASIMDDP},
	} {
		if f.has {
			have = append(have, f.name)
		}
	}
	if len(have) == 0 {
		return runtime.GOARCH + " without vector extensions that matter here"
	}
	return runtime.GOARCH + " with " + strings.Join(have, " ")
}

// checkRuntime loads ONNX Runtime, since a library that is there may still not
// fit this machine or this build. Where vecdb's own runtime computes the default
// models it is not needed.
func (a *app) checkRuntime(h *hub.Hub, deep bool) finding {
	f := finding{Check: "runtime", State: stateFail, Next: "vecdb model pull --runtime"}
	s, err := a.localSession()
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	f.Detail = s.db.Runtime()
	if err := s.close(); err != nil {
		f.Detail = err.Error()
		return f
	}
	_, err = h.LocateRuntime()
	if err == nil && deep {
		if err := h.VerifyRuntime(); err != nil {
			f.Detail = err.Error()
			return f
		}
	}
	switch own := vecdb.PrefersNative(a.runtime(), embedder.Int8); {
	case own && err == nil, strings.HasPrefix(f.Detail, "onnxruntime"):
		f.State, f.Next = stateOK, ""
	case own:
		f.State, f.Detail, f.Next = stateOK, f.Detail+"; ONNX Runtime is not here, which fp32 and models of other kinds need", ""
	case !strings.HasPrefix(f.Detail, "none"):
		f.State, f.Detail = stateWarn, f.Detail+"; without vector instructions ONNX Runtime is faster"
	case err == nil:
		f.Next = "build with cgo and without the tag noort, or use --model-runtime native"
	}
	return f
}

// checkModels checks the default models, which must be here, and the others
// that are.
func (a *app) checkModels(h *hub.Hub, manifest *embedder.Manifest, deep bool) []finding {
	var out []finding
	for _, m := range manifest.Models {
		st := stateOf(h, manifest, m)
		for i, p := range []embedder.Precision{embedder.Int8, embedder.BF16, embedder.FP32} {
			needed := st.Default && i == 0
			w := wanted{m.Name, p, vecdb.PrefersNative(a.runtime(), p)}
			f := finding{Check: "model " + w.String(), State: stateOK}
			err := here(h, w)
			if w.native && err != nil && p == embedder.Int8 && a.runtime() != vecdb.RuntimeNative {
				w.native = false
				if here(h, w) == nil && here(h, wanted{}) == nil {
					err = nil
					f.Next = "vecdb model pull " + m.Name + ", which gets what vecdb's own runtime needs; it is faster"
				}
			}
			if err != nil && !needed {
				continue
			}
			f.Detail = "here, for " + pick(w.native, "vecdb's own runtime", "ONNX Runtime")
			if err == nil && deep {
				f.Detail += ", checksums right"
				err = check(h, w)
			}
			if err != nil {
				f.State, f.Detail, f.Next = stateFail, err.Error(), "vecdb model pull "+m.Name+" --precision "+string(p)
			}
			out = append(out, f)
		}
	}
	return out
}

// checkFolder tells whether a folder can be used and how much space is left.
func checkFolder(name, dir string) finding {
	f := finding{Check: name, State: stateOK, Detail: dir}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		f.Detail += ": not there yet"
		return f
	} else if err != nil {
		return finding{name, stateFail, err.Error(), "make it readable, or name another"}
	}
	free, known := freeBytes(dir)
	if !known {
		return f
	}
	f.Detail += ": " + bytesText(free) + " free"
	if free < lowSpace {
		f.State, f.Next = stateWarn, "free some space; writes stop below 512 MiB or 1 %"
	}
	return f
}

// checkDatabase opens the directory and compares the index with the store.
func (a *app) checkDatabase(ctx context.Context, deep bool) []finding {
	dir := a.dir()
	folder := checkFolder("database folder", dir)
	if folder.State == stateFail || strings.HasSuffix(folder.Detail, "not there yet") {
		return []finding{folder}
	}
	out := []finding{folder}
	db, err := a.openDir(reads)
	switch {
	case errors.Is(err, vecdb.ErrLocked):
		return append(out, finding{"database", stateWarn, "in use by another process, so it was not looked into", "ask that process: vecdb stats --url URL, or stop it"})
	case err != nil:
		return append(out, finding{"database", stateFail, err.Error(), "the directory may be damaged or not be a database; restore a copy"})
	}
	for _, c := range db.Collections() {
		out = append(out, checkCollection(c))
	}
	if len(db.Collections()) == 0 {
		out = append(out, finding{"database", stateOK, "opens, no collections yet", ""})
	}
	if deep {
		out = append(out, verifyAll(ctx, db))
	}
	if err := db.Close(); err != nil {
		out = append(out, finding{"database", stateFail, "close: " + err.Error(), "run vecdb doctor --deep again"})
	}
	return out
}

func checkCollection(c *vecdb.Collection) finding {
	idx, documents := c.IndexStats(), c.Len()
	f := finding{"collection " + c.Name(), stateOK, fmt.Sprintf("%s, all in the index", plural(documents, "document")), ""}
	if uint64(idx.Vectors)+idx.Pending < uint64(documents) {
		f.State, f.Next = stateFail, "open it again: the index is made anew from the store"
		f.Detail = fmt.Sprintf("%s, but %s in the index", plural(documents, "document"), count(idx.Vectors))
	}
	return f
}

// verifyAll reads all that is stored.
func verifyAll(ctx context.Context, db *vecdb.DB) finding {
	var problems []string
	err := db.Verify(ctx, func(p string) { problems = append(problems, p) })
	switch {
	case err != nil:
		return finding{"stored data", stateFail, err.Error(), "restore a copy"}
	case len(problems) > 0:
		return finding{"stored data", stateFail, fmt.Sprintf("%s, the first: %s", plural(len(problems), "problem"), problems[0]), "restore a copy, or add the documents again"}
	}
	return finding{"stored data", stateOK, "all records read, checksums right", ""}
}

func (a *app) printFindings(list []finding) error {
	failed := false
	var rows [][]string
	st := a.outStyle()
	for _, f := range list {
		failed = failed || f.State == stateFail
		mark := map[string]string{stateOK: st.good("ok"), stateWarn: st.warn("warn"), stateFail: st.bad("fail")}[f.State]
		rows = append(rows, []string{mark, f.Check, f.Detail})
		if f.Next != "" {
			rows = append(rows, []string{"", "", "→ " + f.Next})
		}
	}
	if a.forScripts() {
		if err := printAll(a, map[string]any{"ok": !failed, "checks": list}, list); err != nil {
			return err
		}
	} else {
		a.renderTable(nil, rows)
	}
	if failed {
		return checkError{}
	}
	return nil
}
