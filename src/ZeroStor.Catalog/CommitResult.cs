namespace ZeroStor.Catalog;

/// <summary>An answer as the content's row keeps it, so that the order, when it comes again, is answered the
/// same: a format number, the kind, then what was made, or why nothing was. An ETag that is the version's id,
/// as nearly all are, costs one byte. A second format tells a size as well, and whether it is about a mark;
/// what needs neither is written in the first.</summary>
internal static class CommitResult
{
    private const byte Plain = 1;
    private const byte Extended = 2;

    public static byte[] Encode(CommitAnswer answer)
    {
        var writer = new ByteWriter();
        bool isExtended = answer.Size > 0 || answer.IsMark;
        writer.Byte(isExtended ? Extended : Plain);
        writer.Byte((byte)answer.Kind);
        if (answer.Kind == ErrorKind.None)
        {
            writer.UInt128(answer.Version.Value);
            writer.VarInt(answer.Seq);
            writer.Text(answer.ETag == answer.Version.ToString() ? "" : answer.ETag);
            if (isExtended)
            {
                writer.VarInt(answer.Size);
                writer.Byte(answer.IsMark ? (byte)1 : (byte)0);
            }
        }
        else
        {
            writer.Text(answer.Detail);
        }

        return writer.ToArray();
    }

    public static CommitAnswer Decode(byte[] bytes)
    {
        var reader = new ByteReader(bytes, "result of a commit");
        bool isExtended = bytes is [Extended, ..];
        reader.Format(isExtended ? Extended : Plain);
        var kind = (ErrorKind)reader.Byte();
        CommitAnswer answer;
        if (kind == ErrorKind.None)
        {
            var version = new VersionId(reader.UInt128());
            long seq = reader.VarInt();
            string etag = reader.Text();
            answer = Applied(version, seq, etag.Length == 0 ? version.ToString() : etag) with
            {
                Size = isExtended ? reader.VarInt() : 0,
                IsMark = isExtended && reader.Byte() != 0,
            };
        }
        else
        {
            answer = new CommitAnswer(kind, reader.Text());
        }

        reader.End();
        return answer;
    }

    public static CommitAnswer Applied(VersionId version, long seq, string etag) =>
        new(ErrorKind.None) { Version = version, Seq = seq, ETag = etag };
}
