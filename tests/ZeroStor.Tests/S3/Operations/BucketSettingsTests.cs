using ZeroStor.S3.Operations;
using ZeroStor.S3.Protocol;

namespace ZeroStor.Tests.S3.Operations;

public sealed class BucketSettingsTests
{
    [Fact]
    public void What_is_kept_of_a_bucket_is_read_as_it_was()
    {
        var settings = new BucketSettings
        {
            Acl = CannedAcl.PublicRead,
            Policy = "{}",
            PolicyAccess = PublicAccess.List,
            Cors =
            [
                new CorsRule
                {
                    Id = "r", Origins = ["*"], Methods = ["GET"], Headers = ["a", "b"], MaxAgeSeconds = 3,
                },
            ],
            Tags = TagSet.Make([new("k", "v"), new("a", "")], TagSet.MaxOfBucket),
        };
        BucketSettings read = BucketSettings.Decode(settings.Encode());
        Assert.Equal(
            (settings.Acl, settings.Policy, settings.PolicyAccess), (read.Acl, read.Policy, read.PolicyAccess));
        CorsRule rule = Assert.Single(read.Cors);
        Assert.Equal(("r", 3), (rule.Id, rule.MaxAgeSeconds));
        Assert.Equal(["a", "b"], rule.Headers);
        Assert.Equal(settings.Tags.Tags, read.Tags.Tags);
        Assert.Equal(PublicAccess.Read | PublicAccess.List, read.Access);
        Assert.Equal(PublicAccess.None, BucketSettings.Decode(BucketSettings.None.Encode()).Access);
    }

    [Fact]
    public void What_this_front_end_did_not_write_is_refused() => Assert.Equal(
        ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => BucketSettings.Decode("{"u8)).Kind);
}
