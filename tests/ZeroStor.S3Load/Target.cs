using Amazon.Runtime;
using Amazon.S3;

namespace ZeroStor.S3Load;

/// <summary>The front end that is tried, and who asks it.</summary>
internal sealed record Target(Uri Url, string AccessKey, string Secret)
{
    public const string Region = "us-east-1";

    /// <summary>Reads the first access key of a file in the form in which the tools of S3 keep
    /// credentials.</summary>
    /// <exception cref="InvalidDataException">It names none.</exception>
    public static Target Read(Uri url, string credentialsFile)
    {
        string[] lines = File.ReadAllLines(credentialsFile);
        return new Target(url, ValueOf("aws_access_key_id"), ValueOf("aws_secret_access_key"));

        string ValueOf(string name) =>
            lines.Select(l => l.Split('=', 2, StringSplitOptions.TrimEntries))
                .FirstOrDefault(pair => pair.Length == 2 && pair[0] == name)?[1]
            ?? throw new InvalidDataException($"{credentialsFile} has no {name}.");
    }

    /// <summary>AWS's own client as it comes, but for where the service is.</summary>
    public AmazonS3Client Connect() => new(
        new BasicAWSCredentials(AccessKey, Secret),
        new AmazonS3Config
        {
            ServiceURL = Url.ToString(), AuthenticationRegion = Region, ForcePathStyle = true,
        });
}
