printf '\357\273\277'; cat field-misspelt.yaml
