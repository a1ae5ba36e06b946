package native_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/internal/core"
)

// batch returns texts of the given lengths.
func batch(lengths ...int) embedder.Batch {
	b := embedder.Batch{Lengths: lengths}
	for i, n := range lengths {
		for t := range n {
			b.IDs = append(b.IDs, int32((7*i+3*t+1)%tinyWords))
		}
	}
	return b
}

func open(t testing.TB, f native.Files, o native.Options) embedder.Runtime {
	t.Helper()
	r, err := native.Open(f, o, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r[0].Close(); err != nil {
			t.Error(err)
		}
	})
	return r[0]
}

// pooled runs a batch and returns a vector a text.
func pooled(t testing.TB, r embedder.Runtime, b embedder.Batch, p embedder.Pooling) [][]float32 {
	t.Helper()
	h, err := r.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for i, n := range b.Lengths {
		out = append(out, embedder.Pool(h, i, n, p))
	}
	return out
}

func TestTextsDoNotDependOnWhatRunsBesideThem(t *testing.T) {
	for _, p := range []embedder.Precision{embedder.Int8, embedder.BF16} {
		r := open(t, native.Files{Weights: write(t, newTiny().model())}, native.Options{Precision: p, Dim: tinyHidden})
		lengths := []int{1, 40, 2, 33, 16, 40, 17, 40, 40, 3, 40, 40, 31}
		all := batch(lengths...)
		together := pooled(t, r, all, embedder.PoolMean)
		at := 0
		for i, n := range lengths {
			alone := pooled(t, r, embedder.Batch{IDs: all.IDs[at : at+n], Lengths: []int{n}}, embedder.PoolMean)
			if cos := embedtest.Cosine(alone[0], together[i]); cos < 0.999999 {
				t.Errorf("%s: text %d of %d tokens: cosine %.7f", p, i, n, cos)
			}
			at += n
		}
	}
}

func TestFirstTokensAloneAreTheSame(t *testing.T) {
	f := native.Files{Weights: write(t, newTiny().model())}
	b := batch(5, 40, 1, 22, 40, 40, 40, 40, 40, 9)
	want := pooled(t, open(t, f, native.Options{Precision: embedder.Int8}), b, embedder.PoolCLS)
	r := open(t, f, native.Options{Precision: embedder.Int8, Pooling: embedder.PoolCLS})
	for range 2 {
		for i, v := range pooled(t, r, b, embedder.PoolCLS) {
			if cos := embedtest.Cosine(v, want[i]); cos < 0.999999 {
				t.Errorf("text %d: cosine %.7f", i, cos)
			}
		}
	}
}

func TestBadBatchesAreRefused(t *testing.T) {
	r := open(t, native.Files{Weights: write(t, newTiny().model())}, native.Options{Precision: embedder.Int8})
	for name, b := range map[string]embedder.Batch{
		"id too large":    {IDs: []int32{1, tinyWords}, Lengths: []int{2}},
		"negative id":     {IDs: []int32{-1}, Lengths: []int{1}},
		"too long":        batch(tinyPositions + 1),
		"no tokens":       {IDs: []int32{1}, Lengths: []int{0, 1}},
		"negative length": {IDs: []int32{1}, Lengths: []int{-1, 2}},
		"too few ids":     {IDs: []int32{1}, Lengths: []int{2}},
		"too many ids":    {IDs: []int32{1, 2, 3}, Lengths: []int{2}},
	} {
		if _, err := r.Run(b); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if h, err := r.Run(embedder.Batch{}); err != nil || len(h.Data) != 0 {
		t.Errorf("no texts give %d numbers, %v", len(h.Data), err)
	}
	pooled(t, r, batch(3), embedder.PoolMean)
}

func TestRunningAllocatesNothing(t *testing.T) {
	for _, pooling := range []embedder.Pooling{embedder.PoolMean, embedder.PoolCLS} {
		r := open(t, native.Files{Weights: write(t, newTiny().model())}, native.Options{Precision: embedder.Int8, Pooling: pooling})
		b := batch(40, 12, 33, 40, 40, 40, 40, 40, 7)
		if n := testing.AllocsPerRun(20, func() {
			if _, err := r.Run(b); err != nil {
				t.Error(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations a run", pooling, n)
		}
	}
}

func TestOtherModelsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*tiny){
		"activation": func(m *tiny) { m.erf = "Tanh" },
		"scale":      func(m *tiny) { m.scale = 1 },
	} {
		m := newTiny()
		change(m)
		_, err := native.Open(native.Files{Weights: write(t, m.model())}, native.Options{Precision: embedder.Int8}, 1)
		if !errors.Is(err, native.ErrArchitecture) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	f := native.Files{Weights: write(t, newTiny().model())}
	if _, err := native.Open(f, native.Options{Precision: embedder.FP32}, 1); !errors.Is(err, native.ErrArchitecture) {
		t.Errorf("float32 gives %v", err)
	}
	if _, err := native.Open(f, native.Options{Precision: embedder.Int8, Dim: 384}, 1); !errors.Is(err, core.ErrDimension) {
		t.Errorf("another dimension gives %v", err)
	}
	m := newTiny()
	m.plus = 1e39
	if _, err := native.Open(native.Files{Weights: write(t, m.model())}, native.Options{Precision: embedder.Int8}, 1); !errors.Is(err, core.ErrCorrupt) || !strings.Contains(err.Error(), "finite") {
		t.Errorf("infinite weights give %v", err)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	whole := newTiny().model()
	for _, n := range []int{0, 1, 2, 100, len(whole) / 3, len(whole) / 2, len(whole) - 1} {
		_, err := native.Open(native.Files{Weights: write(t, whole[:n])}, native.Options{Precision: embedder.Int8}, 1)
		if !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("the first %d bytes give %v", n, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "nothing.onnx")
	if _, err := native.Open(native.Files{Weights: missing}, native.Options{Precision: embedder.Int8}, 1); !errors.Is(err, core.ErrNoModel) {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := native.Open(native.Files{Weights: t.TempDir()}, native.Options{Precision: embedder.Int8}, 1); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("a folder gives %v", err)
	}
	f := native.Files{Weights: write(t, whole), SHA256: strings.Repeat("0", 64)}
	if _, err := native.Open(f, native.Options{Precision: embedder.Int8}, 1); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("another checksum gives %v", err)
	}
}

func TestClosedSessionsAreClosed(t *testing.T) {
	f := native.Files{Weights: write(t, newTiny().model()), Pack: filepath.Join(t.TempDir(), "pack")}
	rs, err := native.Open(f, native.Options{Precision: embedder.Int8}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(rs[0].Close(), rs[0].Close()); err != nil {
		t.Error(err)
	}
	if _, err := rs[0].Run(batch(3)); !errors.Is(err, core.ErrClosed) {
		t.Errorf("a closed session gives %v", err)
	}
	pooled(t, rs[1], batch(3), embedder.PoolMean)
	if err := rs[1].Close(); err != nil {
		t.Error(err)
	}
}

func TestPacksAreMadeAnewWhenTheyDoNotFit(t *testing.T) {
	weights, dir := write(t, newTiny().model()), t.TempDir()
	f := native.Files{Weights: weights, Pack: filepath.Join(dir, "pack")}
	want := pooled(t, open(t, f, native.Options{Precision: embedder.Int8}), batch(9), embedder.PoolMean)[0]
	good, err := os.ReadFile(f.Pack)
	if err != nil {
		t.Fatal(err)
	}
	other := newTiny()
	other.eps = 1e-3
	otherPack := filepath.Join(dir, "other")
	open(t, native.Files{Weights: write(t, other.model()), Pack: otherPack}, native.Options{Precision: embedder.Int8})
	wrong := slices.Clone(good)
	wrong[len(wrong)/2] ^= 1
	foreign, err := os.ReadFile(otherPack)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-1], "one bit": wrong, "longer": append(slices.Clone(good), 0), "of another file": foreign, "text": []byte("not a model at all, but long enough"),
	} {
		if err := os.WriteFile(f.Pack, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got := pooled(t, open(t, f, native.Options{Precision: embedder.Int8}), batch(9), embedder.PoolMean)[0]
		if again, err := os.ReadFile(f.Pack); !slices.Equal(got, want) || err != nil || !slices.Equal(again, good) {
			t.Errorf("%s: the pack was not made anew, %v", name, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
	sum := sha256.Sum256(newTiny().model())
	gone := native.Files{Weights: filepath.Join(dir, "gone"), Pack: f.Pack, SHA256: hex.EncodeToString(sum[:])}
	if got := pooled(t, open(t, gone, native.Options{Precision: embedder.Int8}), batch(9), embedder.PoolMean)[0]; !slices.Equal(got, want) {
		t.Error("the pack alone gives another vector")
	}
	inMemory := native.Files{Data: append(make([]byte, 1, 1+len(good)), good...)[1:]}
	if got := pooled(t, open(t, inMemory, native.Options{Precision: embedder.Int8}), batch(9), embedder.PoolMean)[0]; !slices.Equal(got, want) {
		t.Error("a pack in memory gives another vector")
	}
	nowhere := native.Files{Weights: weights, Pack: filepath.Join(dir, "no", "such", "folder")}
	if got := pooled(t, open(t, nowhere, native.Options{Precision: embedder.Int8}), batch(9), embedder.PoolMean)[0]; !slices.Equal(got, want) {
		t.Error("without a place for the pack the vector is another")
	}
}
