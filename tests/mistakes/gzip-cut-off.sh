gzip -n <field-misspelt.yaml | head -c 150
