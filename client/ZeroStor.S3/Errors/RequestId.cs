namespace ZeroStor.S3.Errors;

/// <summary>The names by which an answer can be found again in the log: what S3 gives as
/// <c>x-amz-request-id</c>.</summary>
public static class RequestId
{
    /// <summary>As S3's: enough that none comes twice in a log.</summary>
    public const int Length = 16;

    // 32 of them, so that five bits of a random byte choose one without a bias.
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    public static string New(IEntropy entropy)
    {
        ArgumentNullException.ThrowIfNull(entropy);
        Span<byte> random = stackalloc byte[Length];
        entropy.Fill(random);
        Span<char> id = stackalloc char[Length];
        for (int i = 0; i < Length; i++)
        {
            id[i] = Alphabet[random[i] & 31];
        }

        return new string(id);
    }
}
