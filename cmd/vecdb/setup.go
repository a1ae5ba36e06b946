package main

import "github.com/spf13/cobra"

func (a *app) setupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "setup",
		Short: "Fetch what is missing of the runtime and the default models",
		Long: `Fetch the runtime and the default models of all languages, as far as they are
not on this machine yet. When all are, it says nothing.`,
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
			return a.pull(cmd.Context(), h, append([]wanted{{}}, list...), false)
		},
	}
}
