namespace ZeroStor.S3.Signing;

/// <summary>What a signing key is good for: a day, a region, a service.</summary>
/// <param name="Day">As <c>yyyyMMdd</c>.</param>
/// <param name="Region">As the client calls it.</param>
/// <param name="Service">Here always <c>s3</c>.</param>
public readonly record struct CredentialScope(string Day, string Region, string Service)
{
    public const string Terminator = "aws4_request";

    /// <summary>As it stands in the string to sign.</summary>
    public override string ToString() => $"{Day}/{Region}/{Service}/{Terminator}";

    /// <summary>Reads <c>ACCESSKEY/DAY/REGION/SERVICE/aws4_request</c>.</summary>
    public static bool TryParse(string credential, out string accessKey, out CredentialScope scope)
    {
        ArgumentNullException.ThrowIfNull(credential);
        string[] parts = credential.Split('/');
        bool fits = parts.Length == 5 && parts[4] == Terminator && parts.All(p => p.Length > 0);
        accessKey = fits ? parts[0] : "";
        scope = fits ? new CredentialScope(parts[1], parts[2], parts[3]) : default;
        return fits;
    }
}
