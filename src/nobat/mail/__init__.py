"""Reports by mail: ``schedule`` says which is due, ``letter`` writes it, ``keeper`` sees that it is sent once."""
