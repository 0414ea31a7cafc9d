base64 -w 0 field-misspelt.yaml | head -c 201
