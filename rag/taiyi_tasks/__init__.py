"""The thirteen tasks that the authors of Taiyi publish figures of: how each is asked, how a reply is read, how it is
scored."""
