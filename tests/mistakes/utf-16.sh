iconv -t UTF-16 field-misspelt.yaml
