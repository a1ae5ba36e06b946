package vecdb

import (
	"context"
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/language"
	"github.com/vecdb/vecdb/storage"
)

// LanguageAuto is the CollectionOptions.Language of a collection whose first
// texts choose the model: the default one for Chinese or for English. Until then
// the collection is pending: its dimension is 0, searches find nothing, and
// vectors are refused. Once chosen, the model stays, whatever texts follow.
const LanguageAuto = "auto"

// maxChoosing is how many texts choose a model at most.
const maxChoosing = 1024

// pendingConfig is the configuration of a collection whose first texts choose the
// model.
func (m *models) pendingConfig(cfg storage.Config, o CollectionOptions) (storage.Config, error) {
	const hint = "leave it out, or give a language or a model instead of auto"
	if o.Model != "" {
		return cfg, core.Invalid("/model", hint, "the model is given, and is to be chosen by the first texts")
	}
	if o.Dim != 0 {
		return cfg, core.Invalid("/dimension", hint, "the dimension follows from the model, which the first texts choose")
	}
	cfg.Auto, cfg.Language, cfg.Precision = true, LanguageAuto, o.Precision
	for _, lang := range []string{language.English, language.Chinese} {
		if _, err := m.settled(cfg, lang); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// settled returns a pending configuration with the model for a language.
func (m *models) settled(cfg storage.Config, lang string) (storage.Config, error) {
	return m.complete(cfg, CollectionOptions{Language: lang, Precision: cfg.Precision})
}

// settle lets documents choose the model of a pending collection, by the texts
// that come without a vector and are not refused. Of several calls at once the
// first chooses. Where the model is not on this machine nothing is chosen. The
// choice is durable before anything is stored.
func (c *Collection) settle(ctx context.Context, docs []Document) error {
	if !c.Info().Pending() {
		return nil
	}
	release, err := c.settling.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	info := c.Info()
	if !info.Pending() {
		return nil
	}
	letters, texts := c.lettersOf(docs)
	if texts == 0 {
		return nil
	}
	cfg, err := c.db.models.settled(info, letters.Language())
	if err != nil {
		return err
	}
	if _, err := c.db.models.get(ctx, cfg.Model, cfg.Precision); err != nil {
		return err
	}
	if err := c.applier.adopt(cfg.Dim); err != nil {
		return fmt.Errorf("make the index of collection %s: %w", c.Name(), err)
	}
	if err := c.stored.Settle(cfg); err != nil {
		return fmt.Errorf("choose the model of collection %s: %w", c.Name(), err)
	}
	c.applier.begin()
	c.db.options.Logger.Info("the first texts have chosen the model", "collection", cfg.Name, "language", cfg.Language, "model", cfg.Model)
	return nil
}

// lettersOf counts the letters of the first texts that are to be embedded, at most
// maxChoosing, and these texts.
func (c *Collection) lettersOf(docs []Document) (letters language.Count, texts int) {
	for _, doc := range docs {
		if doc.Vector != nil {
			continue
		}
		if doc, err := c.prepare(doc); err == nil {
			letters.Add(doc.Text)
			if texts++; texts == maxChoosing {
				break
			}
		}
	}
	return letters, texts
}

// vectorsOnly reports whether the collection has no model and will have none.
func (c *Collection) vectorsOnly() bool {
	info := c.Info()
	return info.Model == "" && !info.Pending()
}

// errPending says that the model is needed and not chosen yet.
func (c *Collection) errPending(pointer string) error {
	return &core.InputError{Pointer: pointer, Cause: ErrPending, Hint: "add documents with texts first, or make the collection with a language or a model",
		Detail: fmt.Sprintf("the model of collection %s is not chosen yet: the texts of the first documents choose it", c.Name())}
}
