package main

import (
	"slices"

	"github.com/spf13/cobra"
)

func (a *app) setupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "setup",
		Short: "Fetch what is missing of the default models",
		Long: `Fetch the default models of all languages, and ONNX Runtime where they need it
(see vecdb model pull --help), as far as they are not on this machine yet, and
pack them for this machine. When all is done, it says nothing.`,
		Example: "  vecdb setup",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, manifest, err := a.openHub()
			if err != nil {
				return err
			}
			list, err := a.selection(manifest, nil, false)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(list, func(w wanted) bool { return !w.native }) {
				list = append([]wanted{{}}, list...)
			}
			return a.pull(cmd.Context(), h, list, false)
		},
	}
}
