"""Rules to verdict, pure: a call's facts in, the first rule that matches out."""
