namespace ZeroStor.Catalog;

/// <summary>An answer as the content's row keeps it, so that the order, when it comes again, is answered the
/// same: a format number, the kind, then what was made, or why nothing was. An ETag that is the version's id,
/// as nearly all are, costs one byte.</summary>
internal static class CommitResult
{
    private const byte Format = 1;

    public static byte[] Encode(CommitAnswer answer)
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        writer.Byte((byte)answer.Kind);
        if (answer.Kind == ErrorKind.None)
        {
            writer.UInt128(answer.Version.Value);
            writer.VarInt(answer.Seq);
            writer.Text(answer.ETag == answer.Version.ToString() ? "" : answer.ETag);
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
        reader.Format(Format);
        var kind = (ErrorKind)reader.Byte();
        CommitAnswer answer;
        if (kind == ErrorKind.None)
        {
            var version = new VersionId(reader.UInt128());
            long seq = reader.VarInt();
            string etag = reader.Text();
            answer = Applied(version, seq, etag.Length == 0 ? version.ToString() : etag);
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
