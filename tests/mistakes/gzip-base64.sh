gzip -n <field-misspelt.yaml | base64 -w 76
