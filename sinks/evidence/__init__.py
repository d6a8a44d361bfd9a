"""What an auditor takes away: for each control what the trail shows of it, with the question that was asked.

`catalogue` reads which exhibits exist and which controls they speak to (exhibits.yaml, frameworks.yaml); `gather`
asks the trail; `folder` writes pages, tables and a manifest with the digest of each file.
"""
