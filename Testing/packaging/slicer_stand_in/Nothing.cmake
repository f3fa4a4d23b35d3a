# Stands in for what Slicer includes to package an extension; nothing to do here.
