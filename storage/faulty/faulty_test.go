package faulty_test

import (
	"errors"
	"testing"

	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/faulty"
	"github.com/vecdb/vecdb/storage/mem"
	"github.com/vecdb/vecdb/storage/storagetest"
)

func TestWithoutRulesItIsTheEngineBelow(t *testing.T) {
	storagetest.Run(t, storagetest.Suite{New: func(*testing.T) storage.Engine { return faulty.New(mem.New()) }})
}

func TestRules(t *testing.T) {
	e := faulty.New(mem.New())
	put := func(value string) error {
		b := new(storage.Batch)
		b.Put([]byte("k"), []byte(value))
		return e.Apply(b)
	}
	read := func() (value string, err error) {
		err = e.View(func(r storage.Reader) error {
			v, err := r.Get([]byte("k"))
			value = string(v)
			return err
		})
		return value, err
	}
	e.FailApply(&faulty.Rule{Nth: 2})
	if err := errors.Join(put("1"), put("2")); !errors.Is(err, faulty.ErrInjected) || e.Applies() != 2 {
		t.Errorf("the second Apply gives %v after %d calls", err, e.Applies())
	}
	if v, err := read(); v != "1" || err != nil {
		t.Errorf("a failed Apply left %q, %v", v, err)
	}
	e.FailApply(&faulty.Rule{Landed: true})
	if err := put("3"); !errors.Is(err, faulty.ErrInjected) {
		t.Errorf("a landed Apply gives %v", err)
	}
	if v, _ := read(); v != "3" {
		t.Errorf("a landed Apply left %q", v)
	}
	e.FailRead(&faulty.Rule{Flip: true, FlipBit: 0})
	if v, err := read(); v != "2" || err != nil { // '3' is 0x33
		t.Errorf("a flipped bit gives %q, %v", v, err)
	}
	e.FailRead(&faulty.Rule{Prefix: []byte("k")})
	if _, err := read(); !errors.Is(err, faulty.ErrInjected) {
		t.Errorf("a failing read gives %v", err)
	}
	e.FailRead(&faulty.Rule{Prefix: []byte("other")})
	if _, err := read(); err != nil {
		t.Errorf("a rule about other keys gives %v", err)
	}
}
