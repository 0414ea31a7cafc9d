gzip -n <field-misspelt.yaml
